"""What people build instead, fairly written: their libraries' documented patterns, batched."""
