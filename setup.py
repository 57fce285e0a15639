"""Metadata lives in pyproject.toml; this line serves tools that still call setup.py."""

from setuptools import setup

setup()
