# Completion of dti for bash: source this file, or put it into ~/.local/share/bash-completion/completions/dti.
_dti() {
  local word=${COMP_WORDS[COMP_CWORD]} found
  COMPREPLY=()
  while IFS= read -r found; do
    # options are offered once a hyphen is typed, so that files and subcommands are not lost among them
    if [[ $found == "$word"* && ($word == -* || $found != [-/]*) ]]; then
      COMPREPLY+=("$found")
    fi
  done < <("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
}
complete -o default -F _dti dti ./dti
