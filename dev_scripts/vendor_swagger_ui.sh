#!/usr/bin/env bash
# Puts the three files of Swagger UI that /docs serves into static/vendor/swagger-ui. Needs npm.
set -euo pipefail

version="${1:-5.24.2}" # newer bundles are larger than a file of this repository may be
limit=1500000

target="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/static/vendor/swagger-ui"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

(cd "$folder" && npm pack --silent "swagger-ui-dist@$version" >/dev/null && tar -xzf swagger-ui-dist-*.tgz)
mkdir -p "$target"
for file in swagger-ui-bundle.js swagger-ui.css LICENSE; do
  size="$(wc -c <"$folder/package/$file")"
  if ((size >= limit)); then
    echo "$file of $version has $size bytes, which is more than $limit" >&2
    exit 1
  fi
  # Source maps are not served, so the line that names one goes.
  sed -e 's|^/[/*]# sourceMappingURL=.*$||' "$folder/package/$file" >"$target/$file"
done
echo "$version" >"$target/VERSION"
ls -l "$target"
