"""The shop's dashboard: one Streamlit app that runs in Snowflake and on this machine."""
