#compdef dti
# Completion of dti for zsh: put this file into a folder of $fpath as _dti, or source it after compinit.
_dti() {
  local word=${words[CURRENT]}
  local -a found
  found=("${(@f)$(${words[1]} "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
  # options are offered once a hyphen is typed, so that files and subcommands are not lost among them
  [[ $word == -* ]] || found=(${found:#[-\/]*})
  found=(${(M)found:#$word*})
  if (($#found)); then
    compadd -a found
  else
    _files
  fi
}
if [[ $funcstack[1] == _dti ]]; then
  _dti "$@"
else
  compdef _dti dti ./dti
fi
