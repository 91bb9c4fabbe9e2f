"""What an inspection proposes as a file that a person reviews, and creating what it says."""
