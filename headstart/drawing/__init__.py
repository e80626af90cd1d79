"""Small plots as inline SVG, from plain numbers: no library, no script, no reference to anything outside.

Colours are CSS variables with a value for where no style sheet defines them, so that a page may turn dark. Every plot
has a title and a description for who reads by ear.
"""
