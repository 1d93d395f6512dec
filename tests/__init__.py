"""Milkwise's tests: the real encoder, real files, real servers."""
