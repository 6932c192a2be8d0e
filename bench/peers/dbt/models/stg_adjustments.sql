-- depends_on: {{ ref('counted_before') }}
SELECT * FROM {{ ref('new_adjustments') }}
