#!/usr/bin/env bash
# Installs Debian's Chromium where there is none, for the tests in test/browser. Prints where it is.
set -euo pipefail

if ! command -v chromium >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o Acquire::Retries=3 update -qq >&2
  apt-get -o Acquire::Retries=3 install -y -qq --no-install-recommends chromium >&2
fi
command -v chromium
