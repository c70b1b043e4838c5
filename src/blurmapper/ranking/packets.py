"""Properties in XMP packets, read and written to the byte: all else in a packet stays."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

# As expat writes the names of elements and attributes: name space, separator, name.
_ROOT, _DESCRIPTION = f"{RDF} RDF", f"{RDF} Description"
_ABOUT, _VALUE = f"{RDF} about", f"{RDF} value"

_NAME = re.compile(rb"<[^\s/>]+")
_LIST_TAG = re.compile(rb"</?\w+:(Seq|Bag|Alt|li)\s*/?>")
# Of a tag that expat has read, each where the last one ended: never looked for in what follows.
_ATTRIBUTE = re.compile(rb"\s+([^\s=<>/]+)\s*=\s*([\"'])(.*?)\2", re.DOTALL)


class Property(NamedTuple):
    """A property of XMP: its name space, the usual prefix of that, its name, and its shape."""

    namespace: str
    prefix: str
    name: str
    is_list: bool = False

    @property
    def full_name(self) -> str:
        """The name as expat writes it."""
        return f"{self.namespace} {self.name}"


def read_properties(packet: bytes, wanted: Collection[Property]) -> dict[Property, str]:
    """Return those of the wanted properties that a packet has; of a list all its text.

    Raises
    ------
    ValueError, xml.parsers.expat.ExpatError
        As in `write_properties`.
    """
    found = _Scan(packet, wanted).found
    return {each: place.value.strip() for each, place in found.items()}


def write_properties(packet: bytes, values: Mapping[Property, str]) -> bytes:
    """Return a packet with other values of properties, and no other byte changed.

    Raises
    ------
    ValueError, xml.parsers.expat.ExpatError
        If it is not UTF-8, no XML, has a document type (which XMP never has, and which may
        define entities that grow without end), no ``rdf:Description`` to hold properties, or
        one of them as an empty element, ``<xmp:Rating/>``, or with more than its value, which
        would be lost.
    """
    changed = packet
    for each, value in values.items():
        changed = _write(changed, each, value)
    if read_properties(changed, values.keys()) != values:
        raise ValueError("its name spaces are unusual")
    return changed


def _write(packet: bytes, wanted: Property, value: str) -> bytes:
    scan = _Scan(packet, (wanted,))
    place = scan.found.get(wanted)
    if place is not None:
        if packet[: place.start].endswith(b"/>"):
            raise ValueError(f"it holds {wanted.name} as an empty element")
        if not place.is_plain:
            raise ValueError(f"it holds {wanted.name} in an unusual form")
        new = _list_of(value, scan.prefix_of(RDF)) if wanted.is_list else value
        return packet[: place.start] + new.encode() + packet[place.stop :]
    if scan.description is None:
        raise ValueError("no rdf:Description in it")
    if wanted.is_list:
        # A further description of the same photo, for the first may hold attributes alone.
        rdf, prefix = scan.prefix_of(RDF), wanted.prefix
        new = (
            f"<{rdf}:Description {rdf}:about={quoteattr(scan.about)} "
            f'xmlns:{prefix}="{wanted.namespace}"><{prefix}:{wanted.name}>'
            f"{_list_of(value, rdf)}</{prefix}:{wanted.name}></{rdf}:Description>\n "
        )
        return packet[: scan.end] + new.encode() + packet[scan.end :]
    prefix, declaration = scan.prefix_of(wanted.namespace), ""
    if not prefix:
        prefix = wanted.prefix
        taken = set(scan.prefixes.values())
        while prefix in taken:
            prefix += "_"
        declaration = f' xmlns:{prefix}="{wanted.namespace}"'
    new = f'{declaration} {prefix}:{wanted.name}="{value}"'
    return packet[: scan.description] + new.encode() + packet[scan.description :]


def _list_of(value: str, rdf: str) -> str:
    return f"<{rdf}:Seq><{rdf}:li>{value}</{rdf}:li></{rdf}:Seq>"


@dataclass
class _Place:
    """Where in a packet a value is, what it is there, and whether nothing else is in it."""

    start: int
    stop: int
    value: str
    is_plain: bool = True


class _Scan:
    """What a packet has of some properties; or where one can go, and the prefixes there.

    A property is an attribute or an element of a description.
    """

    def __init__(self, packet: bytes, wanted: Collection[Property]) -> None:
        packet.decode("utf-8")
        self.found: dict[Property, _Place] = {}
        self.description: int | None = None
        self.about = ""
        self.end = 0
        self.prefixes: dict[str, str] = {}
        self._packet = packet
        self._wanted = {each.full_name: each for each in wanted}
        self._opened: list[str] = []
        self._inside: _Place | None = None
        self._texts: list[str] = []
        self._declared: defaultdict[str | None, list[str]] = defaultdict(list)
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartNamespaceDeclHandler = lambda prefix, uri: self._declared[prefix].append(uri)
        parser.EndNamespaceDeclHandler = lambda prefix: self._declared[prefix].pop()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._read
        parser.Parse(packet, True)  # noqa: FBT003 - expat takes no keywords

    def prefix_of(self, namespace: str) -> str:
        return self.prefixes.get(namespace, "")

    @staticmethod
    def _refuse(*_: object) -> None:
        raise ValueError("it has a document type")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        at = self._parser.CurrentByteIndex
        if name == _DESCRIPTION and self._opened[-1:] == [_ROOT]:
            tag = _NAME.match(self._packet, at)
            assert tag is not None
            self._take_attributes(tag.end(), attributes)
            if self.description is None:
                self.description = tag.end()
                self.about = attributes.get(_ABOUT, "")
                # Those in force; of a name space that has several the last counts.
                declared = self._declared.items()
                self.prefixes = {uris[-1]: prefix for prefix, uris in declared if prefix and uris}
        wanted = self._property_within(name)
        if wanted is not None:
            start = self._packet.index(b">", at) + 1
            # A ">" may stand in an attribute, and so may a value.
            self._inside = _Place(start, start, "", not attributes)
            self.found[wanted], self._texts = self._inside, []
        self._read(attributes.get(_VALUE, ""))
        self._opened.append(name)

    def _end(self, name: str) -> None:
        self._opened.pop()
        at = self._parser.CurrentByteIndex
        wanted = self._property_within(name)
        if wanted is not None:
            place = self.found[wanted]
            content = self._packet[place.start : at]
            rest = _LIST_TAG.sub(b"", content) if wanted.is_list else content
            place.stop, place.is_plain = at, place.is_plain and b"<" not in rest
            place.value = "".join(self._texts)
            self._inside = None
        if name == _ROOT and not self.end:
            self.end = at

    def _read(self, text: str) -> None:
        """Take down the text of a property, in whatever elements it stands there."""
        if self._inside is not None:
            self._texts.append(text)

    def _property_within(self, name: str) -> Property | None:
        inside = self._opened[-2:] == [_ROOT, _DESCRIPTION]
        return self._wanted.get(name) if inside else None

    def _take_attributes(self, at: int, attributes: dict[str, str]) -> None:
        while match := _ATTRIBUTE.match(self._packet, at):
            at = match.end()
            prefix, _, name = match[1].decode().rpartition(":")
            full_name = f"{''.join(self._declared[prefix][-1:])} {name}" if prefix else name
            if full_name in self._wanted:
                found = _Place(*match.span(3), attributes[full_name])
                self.found[self._wanted[full_name]] = found
