"""The per-file function on many machines: photos and maps behind any path, rows in Parquet."""
