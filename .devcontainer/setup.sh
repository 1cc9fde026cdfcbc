#!/usr/bin/env bash
# Once, when the codespace is made: a browser for the tests, Redis for later forms, the environment, and .env.
set -euo pipefail
sudo apt-get update -q
sudo apt-get install -y -q chromium redis-server fonts-dejavu-core
make .venv/.test
[ -f .env ] || cp template.env .env
