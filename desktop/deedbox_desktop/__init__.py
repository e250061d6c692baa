"""The desk: watches folders, captures what appears in them, and brings it to the firm's box."""

VERSION = "0.1.0"
