#!/usr/bin/env bash
# Formats all Swift files in place, as scripts/test.sh wants them.
set -euo pipefail
cd "$(dirname "$0")/.."

swift format -i -r Sources Tests Benchmarks Package.swift
