# shellcheck shell=bash
# What CI checks of the text itself. Sourced by `dev` after packages.sh. Every check runs; the summary counts them.
# shellcheck disable=SC2154  # llvm comes from packages.sh

sources() { git ls-files --cached --others --exclude-standard '*.cpp' '*.hpp' | while read -r file; do
  if [ -e "$file" ]; then printf '%s\0' "$file"; fi
done; }
scripts() { git ls-files --cached --others --exclude-standard | while read -r file; do
  if [ -f "$file" ] && head -n 1 "$file" | grep -q '^#!.*bash'; then printf '%s\0' "$file"; fi
done; }

format_in_place() { sources | xargs -0 -r "clang-format-$llvm" -i; }
check_format() {  # names each file once, at its first offence
  sources | xargs -0 -r "clang-format-$llvm" --dry-run -Werror 2>&1 | sed -n "s/: error: .*/: not as .\/dev format leaves it/p" |
    sort -t: -u -k1,1 | { ! grep . >&2; }
}
check_shell() { scripts | xargs -0 -r shellcheck --external-sources; }
check_tidy() { tests/tidy/check .; }

command_lint() {
  local check passed=0 failed=0
  install_packages
  for check in check_format check_shell check_tidy; do
    if $check; then passed=$((passed + 1)); else failed=$((failed + 1)); say "$check failed"; fi
  done
  echo "$passed passed, $failed failed"
  [ $failed -eq 0 ]
}
