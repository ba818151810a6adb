package engine

import (
	"testing"

	"exaproxy/helper"
)

func TestDescriptorLimits(t *testing.T) {
	for _, row := range []struct {
		descriptors, workers, children int
		want                           descriptorLimits
	}{
		{0, 1, 4, descriptorLimits{}},
		{40, 1, 0, descriptorLimits{accept: 29, connect: 38}},
		{256, 1, 4, descriptorLimits{accept: 143, connect: 188}},
		{1024, 2, 8, descriptorLimits{accept: 323, connect: 428}}, // four each
		{256, 1, 20, descriptorLimits{accept: 136, connect: 168}}, // more helpers than it can have
	} {
		c := &Config{Descriptors: row.descriptors}
		if row.children > 0 {
			c.Helper = &helper.Config{Children: row.children}
		}
		if got := newDescriptorLimits(c, 0, row.workers); got != row.want {
			t.Errorf("%+v gives %+v", row, got)
		}
	}
}
