"""The tables of the catalogue files that tell of remote models: read, checked, priced."""
