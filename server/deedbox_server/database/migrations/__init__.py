"""The way from nothing to the present schema, one file a step, in the order of their names."""
