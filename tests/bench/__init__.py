"""Recipes and measurements that need data or time; none of them runs with the tests."""
