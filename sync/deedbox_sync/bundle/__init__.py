"""A bundle's layout, files and names (formats/bundle.md), without I/O.

`layout` says where files lie, `names` how they are called, `bag` and `page` are the tag files, `index` is bundle.json,
`proven` the JSON files that prove it, `sigstore` the same statement for tools that know Sigstore.
"""
