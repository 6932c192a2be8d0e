install:
	uv venv -q --allow-existing .venv && uv pip install -q -p .venv -c constraints.txt -e . --group dev
