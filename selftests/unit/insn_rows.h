/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rows of the opcode tables as a list, so that a test can go through them and
 * say which ones it has not seen.
 */
#ifndef INSN_ROWS_H
#define INSN_ROWS_H

#include <stdio.h>

#include <unistd.h>

#undef F_LOCK			/* unistd.h's, for lockf() */
#include "insn/table.h"

#define INSN_MAX_FORMS	2048

/* One row, and what leads to it: @reg and @pp are -1 where they do not matter. */
struct insn_form {
	const struct mvm_opcode *row;
	u16 flags;
	u8 map;
	u8 opcode;
	s8 reg;
	s8 pp;
	bool vex;
};

struct insn_forms {
	struct insn_form form[INSN_MAX_FORMS];
	unsigned int nr;
};

static void insn_add_form(struct insn_forms *f, struct insn_form form)
{
	form.flags |= form.row->flags;
	if (f->nr == INSN_MAX_FORMS)
		return;
	f->form[f->nr++] = form;
	if (form.flags & F_VEX && !form.vex) {
		form.vex = true;
		insn_add_form(f, form);
	}
}

static void insn_add_table(struct insn_forms *f, const struct mvm_opcode *table, u8 map)
{
	unsigned int op;
	int i;

	for (op = 0; op < 256; op++) {
		const struct mvm_opcode *row = &table[op];
		struct insn_form form = {
			.row = row, .flags = row->flags, .map = map, .opcode = op,
			.reg = -1, .pp = -1,
		};

		for (i = 0; i < 8 && row->flags & F_GRP; i++) {
			form.row = &mvm_insn_groups[row->op][i];
			form.reg = i;
			insn_add_form(f, form);
		}
		for (i = 0; i < 4 && row->flags & F_PFX; i++) {
			form.row = &mvm_insn_prefixed[row->op][i];
			form.pp = i;
			insn_add_form(f, form);
		}
		if (!(row->flags & (F_GRP | F_PFX)))
			insn_add_form(f, form);
	}
}

/* All rows; 63h has one for 64-bit mode and one for the others. */
static inline void insn_all_forms(struct insn_forms *f)
{
	f->nr = 0;
	insn_add_table(f, mvm_insn_one, MVM_MAP_ONE);
	insn_add_table(f, mvm_insn_0f, MVM_MAP_0F);
	insn_add_table(f, mvm_insn_0f38, MVM_MAP_0F38);
	insn_add_form(f, (struct insn_form){
		.row = &mvm_insn_movsxd, .map = MVM_MAP_ONE, .opcode = 0x63, .reg = -1, .pp = -1,
	});
}

/* "ADD 80/0", "MOVUPS 66.0f11", "VMOVUPS 66.0f11" */
static inline const char *insn_form_name(const struct insn_form *form)
{
	static const char *const maps[] = { "", "0f", "0f38", "0f3a" };
	static const char *const prefixes[] = { "", "66.", "f3.", "f2." };
	static char name[64];
	int n;

	n = snprintf(name, sizeof(name), "%s%s %s%s%02x", form->vex ? "V" : "",
		     mvm_insn_op_name(form->row->op), form->pp > 0 ? prefixes[form->pp] : "",
		     maps[form->map], form->opcode);
	if (form->reg >= 0)
		snprintf(name + n, sizeof(name) - n, "/%d", form->reg);
	return name;
}

static inline bool insn_code_is_rm(u8 code)
{
	return (code >= Eb && code <= Ex) || (code >= M && code <= Mx) || code == Wd ||
	       code == Wq || code == Wx || code == Qq;
}

static inline bool insn_has_code(const struct mvm_opcode *row, u8 code)
{
	return row->opnd[0] == code || row->opnd[1] == code || row->opnd[2] == code;
}

/* Can it have a memory operand by ModRM, as an absolute offset or as a string? */
static inline bool insn_form_has_memory(const struct insn_form *form)
{
	unsigned int i;
	u8 code;

	if (form->flags & (F_STR | F_RM))
		return form->flags & F_STR;
	for (i = 0; i < MVM_INSN_OPNDS; i++) {
		code = form->row->opnd[i];
		if (insn_code_is_rm(code) || code == Ob || code == Ov)
			return true;
	}
	return false;
}

/* Does it use the stack? */
static inline bool insn_form_has_stack(const struct insn_form *form)
{
	switch (form->row->op) {
	case MVM_OP_PUSH: case MVM_OP_POP: case MVM_OP_PUSHA: case MVM_OP_POPA:
	case MVM_OP_PUSHF: case MVM_OP_ENTER: case MVM_OP_LEAVE: case MVM_OP_CALL:
	case MVM_OP_RET:
		return true;
	default:
		return false;
	}
}

#endif
