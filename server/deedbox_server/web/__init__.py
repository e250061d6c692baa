"""HTTP: thin controllers over the capabilities, who asks, and every error as a problem document."""
