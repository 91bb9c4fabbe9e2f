"""The same six outages, done to madina and to what people build instead, and what each lost."""
