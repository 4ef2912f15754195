"""How scripts, styles and images reach a browser: as they lie while one works on them, else minified, compressed and
under names that say what is in them, so that a browser need never ask twice."""
