"""The page of results: one static page over the runs' records, images, tables and figures."""
