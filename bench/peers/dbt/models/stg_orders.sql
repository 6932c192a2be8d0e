SELECT * FROM {{ ref('new_orders') }}
