"""Scripts that make shells ask us what may come next."""

from __future__ import annotations

_BASH = r"""# Completion of lading's command line for bash. Use it now with
#     source <(lading completion bash)
# or for good by writing it to /etc/bash_completion.d/lading.

_lading() {
    # Not COMP_WORDS: they are cut at every colon and equals sign.
    local line="${COMP_LINE:0:COMP_POINT}" out directive candidate text current kept
    local -a words
    read -ra words <<< "$line"
    [[ "$line" == *[[:space:]] ]] && words+=("")
    current="${words[${#words[@]}-1]}"
    out="$("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)" || return
    directive="${out##*:}"
    out="${out%:*}"
    kept="${current%"${current##*[:=]}"}"
    COMPREPLY=()
    while IFS=$'\t' read -r candidate text; do
        [[ -n "$candidate" ]] && COMPREPLY+=("${candidate#"$kept"}")
    done <<< "$out"
    if [[ $(type -t compopt) == builtin ]]; then
        (( directive & 2 )) && compopt -o nospace
        (( directive & 4 )) && compopt +o default
    fi
    return 0
}

complete -o default -F _lading lading
"""

_ZSH = r"""#compdef lading
# Completion of lading's command line for zsh. Use it now with
#     source <(lading completion zsh)
# or for good by writing it to a file _lading in a directory of $fpath.

_lading() {
    local out directive value text
    local -a candidates options
    out="$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)" || return 1
    directive="${out##*:}"
    out="${out%:*}"
    while IFS=$'\t' read -r value text; do
        [[ -n "$value" ]] && candidates+=("${value//:/\\:}${text:+:$text}")
    done <<< "$out"
    (( directive & 2 )) && options=(-S '')
    (( ${#candidates} )) && _describe -V lading candidates "${options[@]}"
    (( directive & 4 )) || _files
}

if [[ "${funcstack[1]}" == _lading ]]; then
    _lading "$@"
else
    compdef _lading lading
fi
"""

_FISH = r"""# Completion of lading's command line for fish. Use it now with
#     lading completion fish | source
# or for good by writing it to ~/.config/fish/completions/lading.fish.

function __lading_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    test (count $current) -eq 0; and set current ""
    set -l lines ($words[1] __complete $words[2..-1] $current 2>/dev/null)
    test (count $lines) -eq 0; and return
    for line in $lines[1..-2]
        echo $line
    end
    string match -q ":4" -- $lines[-1]; or string match -q ":6" -- $lines[-1]
    or __fish_complete_path $current
end

complete -c lading -f -a '(__lading_complete)'
"""

SCRIPTS = {"bash": _BASH, "fish": _FISH, "zsh": _ZSH}
