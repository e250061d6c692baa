"""Reading evidence: text, words with their places, searchable copies. Only keyless, sandboxed workers open hostile bytes."""
