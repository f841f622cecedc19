# shellcheck shell=bash
# What CI checks of the text itself. Sourced by `dev` after packages.sh. Every check runs; the summary counts them.
# shellcheck disable=SC2154  # llvm and jobs come from the others

# Null-separated files of the tree, new ones included, for xargs -0.
tree() { git -c safe.directory='*' ls-files -z --cached --others --exclude-standard --deduplicate "$@"; }
existing() { while IFS= read -r -d '' file; do [ ! -f "$file" ] || printf '%s\0' "$file"; done; }
sources() { tree '*.cpp' '*.hpp' | existing; }
scripts() { tree | existing | xargs -0 -r grep -lZ -m 1 -E '^#!.*bash'; }

format_in_place() { sources | xargs -0 -r "clang-format-$llvm" -i; }

check_format() {  # names each file once, at its first offence
  sources | xargs -0 -r "clang-format-$llvm" --dry-run -Werror 2>&1 |
    sed -n 's/: error: .*/: not as .\/dev format leaves it/p' | sort -t: -u -k1,1 | { ! grep . >&2; }
}

check_shell() { scripts | xargs -0 -r shellcheck --external-sources; }

check_layers() { tests/tidy/check .; }

check_clang_tidy() {  # product code only, as build/ compiles it
  tree 'saga-dsl/*.cpp' 'orchestrator/*.cpp' 'connectors/*.cpp' | existing |
    xargs -0 -r -n 3 -P "$jobs" "clang-tidy-$llvm" -p build --quiet 2>/dev/null
}

command_lint() {
  local check passed=0 failed=0
  build build '' || return 1
  for check in check_format check_shell check_layers check_clang_tidy; do
    if $check; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      say "$check failed"
    fi
  done
  echo "$passed passed, $failed failed"
  [ $failed -eq 0 ]
}
