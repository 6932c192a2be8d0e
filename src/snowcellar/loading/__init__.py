"""Files of stages and the rows in them: reading them in place, COPY INTO a table, COPY INTO a location."""
