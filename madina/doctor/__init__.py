"""`madina doctor`: one small file a topic, and `catalogue.TOPICS`, which lists them."""
