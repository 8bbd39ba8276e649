# SPDX-License-Identifier: GPL-3.0-or-later
# Completion of kmailctl for bash. What may stand where is known to kmailctl alone, and asked for each time.

_kmailctl()
{
	local cur words cword
	if declare -F _get_comp_words_by_ref > /dev/null; then
		_get_comp_words_by_ref -n '=:' cur words cword
	else
		# Without bash-completion: the words that bash split at = and : are put together again.
		local i word
		words=() cword=0
		for (( i = 0; i <= COMP_CWORD; i++ )); do
			word=${COMP_WORDS[i]}
			if (( i > 1 )) && [[ $word == [=:] || ${COMP_WORDS[i-1]} == [=:] ]]; then
				words[cword]+=$word
			else
				(( i > 0 )) && cword=${#words[@]}
				words[cword]=$word
			fi
		done
		cur=${words[cword]}
	fi

	local line
	COMPREPLY=()
	compopt +o nospace 2> /dev/null
	while IFS= read -r line; do
		if [[ $line == :file ]]; then
			compopt -o default -o bashdefault 2> /dev/null
			COMPREPLY=()
			return
		fi
		COMPREPLY+=("$line")
	done < <("${words[0]}" completion "${words[@]:1:cword}" 2> /dev/null)

	# One that ends so is not complete: no space behind it.
	if (( ${#COMPREPLY[@]} == 1 )) && [[ ${COMPREPLY[0]} == *[=:/] ]]; then
		compopt -o nospace 2> /dev/null
	fi
	# bash replaces only what follows the last = or :.
	if [[ $cur == *[=:]* && $COMP_WORDBREAKS == *[=:]* ]]; then
		local kept=${cur%"${cur##*[=:]}"} i
		for i in "${!COMPREPLY[@]}"; do
			COMPREPLY[i]=${COMPREPLY[i]#"$kept"}
		done
	fi
}

complete -F _kmailctl kmailctl
