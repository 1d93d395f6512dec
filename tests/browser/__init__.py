"""Tests of the pages in a real browser, with real clicks."""
