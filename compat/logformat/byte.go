package logformat

import (
	"fmt"
	"strconv"
)

// byteCode adds a byte to the line: %byte{10}.
const byteCode = "byte"

// replaceByte puts the byte that %byte{N} stands for into the literal text, where nothing quotes it.
func (p *part) replaceByte() error {
	if p.code.name != byteCode {
		return nil
	}
	n, err := strconv.ParseUint(p.arg, 10, 8)
	if err != nil || n == 0 || p.arg[0] == '0' {
		return fmt.Errorf("%%byte{%s}: a number from 1 to 255 stands between the brackets, without zeroes before it", p.arg)
	}
	p.literal += string([]byte{byte(n)})
	p.code = nil
	return nil
}
