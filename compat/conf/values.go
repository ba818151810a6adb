package conf

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Bool reads on or off.
func (a *Args) Bool() (bool, error) {
	word, err := a.String()
	if err != nil {
		return false, err
	}
	switch word {
	case "enable":
		a.warn("WARNING: 'enable' is deprecated. Please update to use 'on'.")
		return true, nil
	case "disable":
		a.warn("WARNING: 'disable' is deprecated. Please update to use 'off'.")
		return false, nil
	case "on", "off":
		return word == "on", nil
	}
	return false, invalid("ERROR: Invalid option: Boolean options can only be 'on' or 'off'.")
}

// Tristate is the value of relaxed_header_parser.
type Tristate uint8

const (
	Off Tristate = iota
	On
	Warn
)

// Tristate reads on, off or warn.
func (a *Args) Tristate() (Tristate, error) {
	word, err := a.String()
	if err != nil {
		return Off, err
	}
	switch word {
	case "enable":
		a.warn("WARNING: 'enable' is deprecated. Please update to use value 'on'.")
		return On, nil
	case "disable":
		a.warn("WARNING: 'disable' is deprecated. Please update to use value 'off'.")
		return Off, nil
	case "on":
		return On, nil
	case "off":
		return Off, nil
	case "warn":
		return Warn, nil
	}
	return Off, invalid("ERROR: Invalid option: Tristate options can only be 'on', 'off', or 'warn'.")
}

// Int reads a number that fits 32 bits: decimal, octal (027) or hexadecimal (0x1f).
func (a *Args) Int() (int, error) {
	word, err := a.String()
	if err != nil {
		return 0, err
	}
	n, err := integer(word, 0)
	if err == nil && n != int64(int32(n)) {
		err = invalid("ERROR: The value '%s' is larger than the type 'int'.", word)
	}
	return int(n), err
}

// ParsePort reads a number from 0 to 65535.
func ParsePort(word string) (uint16, error) {
	n, err := integer(word, 10)
	switch {
	case err != nil:
		return 0, err
	case n < 0:
		return 0, invalid("ERROR: The value '%s' cannot be less than 0.", word)
	case n > math.MaxUint16:
		return 0, invalid("ERROR: The value '%s' is larger than the type 'short'.", word)
	}
	return uint16(n), nil
}

// ParseUint reads the number behind the = of an option such as concurrency=10.
func ParseUint(word string) (int, error) {
	n, err := integer(word, 10)
	switch {
	case err != nil:
		return 0, err
	case n < 0:
		return 0, invalid("ERROR: The input value '%s' cannot be less than 0.", word)
	case n > math.MaxUint32:
		return 0, invalid("ERROR: The value '%s' is larger than the type 'unsigned int'.", word)
	}
	return int(n), nil
}

// ParseInt reads a number behind the = of an option that may be less than 0, and fits 32 bits.
func ParseInt(word string) (int, error) {
	n, err := integer(word, 10)
	if err == nil && n != int64(int32(n)) {
		err = invalid("ERROR: The value '%s' is larger than the type 'int'.", word)
	}
	return int(n), err
}

// integer is strtoll(3) for a whole word, with Squid's complaints. Like strtoll it gives the
// nearest number when there is no room for the right one.
func integer(word string, base int) (int64, error) {
	n, err := strconv.ParseInt(word, base, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || strings.ContainsAny(word, "_bBoO") {
		return 0, notNumber(word) // with base 0 Go also takes 1_000, 0b1 and 0o7
	}
	return n, nil
}

// float is strtod(3) for a whole word.
func float(word string) (float64, error) {
	digits := word
	if strings.ContainsAny(word, "xX") && !strings.ContainsAny(word, "pP") {
		digits += "p0" // which strtod does not need in a hexadecimal number
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || math.IsNaN(f) || strings.Contains(word, "_") {
		return 0, notNumber(word)
	}
	return f, nil
}

// notNumber distinguishes a word without a number from one with more than a number.
func notNumber(word string) error {
	digits := word
	if word != "" && (word[0] == '+' || word[0] == '-') {
		digits = word[1:]
	}
	if digits == "" || digits[0] < '0' || digits[0] > '9' {
		return invalid("ERROR: No digits were found in the input value '%s'.", word)
	}
	return invalid("ERROR: Invalid value: '%s' is supposed to be a number.", word)
}

// Choice reads one of the words; complaint is what Squid says about any other.
func (a *Args) Choice(complaint string, words ...string) (string, error) {
	word, err := a.String()
	if err != nil {
		return "", err
	}
	for _, w := range words {
		if w == word {
			return w, nil
		}
	}
	return "", Invalid{strings.ReplaceAll(complaint, "%s", word)}
}
