"""XMP packets as other programs write them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
XMP = "{http://ns.adobe.com/xap/1.0/}"

PACKET = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <!-- Bör & Co's -->
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    {attributes}>
   <dc:subject><rdf:Bag><rdf:li>Zürich xmp:Rating="9"</rdf:li></rdf:Bag></dc:subject>{elements}
   <darktable:history><rdf:Seq/></darktable:history>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""

NAMES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:darktable="http://darktable.sf.net/"\n    '
    'xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/"'
)


def packet(attributes: str = "", elements: str = "") -> bytes:
    return PACKET.format(attributes=f"{NAMES} {attributes}", elements=elements).encode()


EXISTING = {
    "attribute": packet('xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="1"'),
    "single quotes": packet("xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:Rating = '-1'"),
    "old prefix": packet('xmlns:xap="http://ns.adobe.com/xap/1.0/" xap:Rating="1"'),
    "beside another": packet(
        'MicrosoftPhoto:Rating="50" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="1"'
    ),
    "element": packet(
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/"', "\n   <xmp:Rating>1</xmp:Rating>"
    ),
    "none": packet('MicrosoftPhoto:Rating="50"'),
    "none, known prefix": packet('xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label="Red"'),
}


def rating_in(sidecar: bytes) -> str | None:
    """Read a rating as other software does: as an attribute or an element."""
    (description,) = ET.fromstring(sidecar).iter(f"{RDF}Description")  # noqa: S314 - made here
    return description.get(f"{XMP}Rating") or description.findtext(f"{XMP}Rating")
