"""Bytes as they are stored: artefacts as zstd, the answer as the gzip that is sent."""

from __future__ import annotations

import gzip

import zstandard

from heavy_stack.backend.data.sql_models.artefacts import Encoding

_ZSTD_LEVEL = 3


def pack(data: bytes) -> bytes:
    """Compress an artefact (zstd)."""
    return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(data)


def unpack(content: bytes, encoding: Encoding) -> bytes:
    """The bytes before `pack`, or the JSON inside a stored answer."""
    if encoding is Encoding.GZIP:
        return gzip.decompress(content)
    # Not `.decompress`: its one-shot form wants the size in the frame's header, and trusts it.
    return zstandard.ZstdDecompressor().decompressobj().decompress(content)
