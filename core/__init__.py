"""What is allowed and what it means: one module per capability. No Streamlit, no FastAPI, no commit."""
