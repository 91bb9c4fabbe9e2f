# The part of plotly that reports use.
