# docker build -t blurmapper .
# docker run --rm -v "$PWD:/photos" --user "$(id -u):$(id -g)" blurmapper map shoot/ -o maps/
# docker run --rm -p 127.0.0.1:8000:8000 blurmapper serve --host 0.0.0.0
FROM python:3.13-slim

COPY . /src
RUN pip install --no-cache-dir '/src[photo,web]' && rm -rf /src && useradd --create-home mapper

USER mapper
WORKDIR /photos
EXPOSE 8000
ENTRYPOINT ["blurmapper"]
CMD ["--help"]
