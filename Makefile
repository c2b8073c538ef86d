# `make run` and `make test` need Python 3.11 to 3.14 and nothing else; PYTHON= names another one.
PYTHON ?= python3
PREPARED = $(PYTHON) embedded/bootstrap.py
UV ?= uv
# Of the package cyclonedx-bom.
CYCLONEDX ?= cyclonedx-py
COMPILE = $(UV) pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url \
	--no-emit-find-links --python-version 3.11 --no-header --no-annotate --quiet

.PHONY: messages help run test test-long mutants lint format lock sbom css bench drill restore-drill hostile fuzz audit \
	account rollups seed-demo
.DEFAULT_GOAL := help

help: ## Show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Run the whole product on http://127.0.0.1:8000 (PORT=), its data in .data (DATA_DIR=)
	@exec $(PREPARED) embedded embedded

test: ## Run the linters and the tests; ARGS= goes to pytest
	@exec $(PREPARED) dev embedded.suite $(ARGS)

test-long: ## Do so with the long suite: every step, kind and example of which `test` takes some
	@exec $(PREPARED) dev embedded.suite --long $(ARGS)

mutants: ## Plant faults in copies of the code, and say which of them no fast test notices
	@exec $(PREPARED) dev tests.mutants $(ARGS)

lint: ## Run the linters alone
	@exec $(PREPARED) dev embedded.linters

format: ## Bring the code and the templates into shape
	@$(PREPARED) dev ruff check --fix .
	@exec $(PREPARED) dev ruff format .

lock: ## Compile the requirements anew with uv; UPGRADE=--upgrade takes newer versions
	$(COMPILE) $(UPGRADE) --extra embedded --extra dev -o requirements/dev.txt
	$(COMPILE) -c requirements/dev.txt --extra embedded --extra dev --extra bench \
		-o requirements/bench.txt
	$(COMPILE) -c requirements/dev.txt --extra embedded -o requirements/embedded.txt
	$(COMPILE) -c requirements/dev.txt -o requirements/app.txt

sbom: ## Write what the images hold as CycloneDX, from the lock files, into sbom/ (CYCLONEDX=)
	@mkdir -p sbom
	$(CYCLONEDX) requirements requirements/app.txt --output-file sbom/python.json
	cd vendor/openclaw && npm sbom --sbom-format cyclonedx --package-lock-only --omit optional \
		> ../../sbom/node.json

css: ## Build the website's styles, icons and vendored files from assets/
	@exec $(PREPARED) dev embedded.styles

messages: ## Gather all sentences for translators in models/catalogues/messages.pot
	@mkdir -p models/catalogues
	@exec $(PREPARED) dev babel.messages.frontend --quiet extract --mapping-file babel.cfg \
		--keyword marked --no-location --sort-output --omit-header \
		--output-file models/catalogues/messages.pot .

drill: ## Break everything on purpose under load, then audit; ARGS="--seed 7" replays a drill
	@exec $(PREPARED) dev tests.drill $(ARGS)

restore-drill: ## Lose everything, restore it from a backup, audit it, and go on with a conversation
	@exec $(PREPARED) dev tests.restoring $(ARGS)

hostile: ## Send every hostile answer and file while somebody else chats, and print what that costs
	@exec $(PREPARED) dev tests.hostile $(ARGS)

fuzz: ## Send the site hostile values and odd requests; ARGS="--seed 7 --count 100000 --report FILE"
	@exec $(PREPARED) dev tests.fuzz $(ARGS)

audit: ## Prove that the books balance, or say where they do not; the product may run or not
	@exec $(PREPARED) embedded embedded.audit

account: ## See why an account is frozen, end that, make an admin; ARGS="show ada@example.org", …
	@exec $(PREPARED) embedded embedded.accounts $(ARGS)

rollups: ## Add up the numbers of the admin pages; ARGS="--rebuild" does so from the beginning
	@exec $(PREPARED) embedded embedded.rollups $(ARGS)

seed-demo: ## Fill data of one's own with a made-up year; ARGS="--people 200 --messages 20000"
	@exec $(PREPARED) embedded embedded.seed_demo $(ARGS)

bench: ## Measure against the alternatives; ARGS= names what: first_token (the default), …
	@exec $(PREPARED) bench bench $(ARGS)
