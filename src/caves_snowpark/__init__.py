"""The library that runs inside the warehouse: names, schemas, event contract, transforms and loads.

It imports only Snowpark and the standard library, because this folder is what gets uploaded.
"""
