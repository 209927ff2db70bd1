/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classic BPF: a checker and an interpreter.
 *
 * Differs from Linux: a socket filter may not use the ancillary loads (SKF_AD_OFF and above), and
 * those relative to the network or link header fail as loads past the packet's end do.
 */
#include "sentry/kernel/bpf.h"

#include "abi/seccomp.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define ANCILLARY_OFFSET 0xfffff000u

/* --- checking --- */

static bool alu_is_known(uint16_t code, enum bpf_use use)
{
	switch (LINUX_BPF_OP(code)) {
	case LINUX_BPF_ADD:
	case LINUX_BPF_SUB:
	case LINUX_BPF_MUL:
	case LINUX_BPF_DIV:
	case LINUX_BPF_OR:
	case LINUX_BPF_AND:
	case LINUX_BPF_LSH:
	case LINUX_BPF_RSH:
	case LINUX_BPF_XOR:
		return code <= 0xff;
	case LINUX_BPF_MOD:
		return code <= 0xff && use == BPF_USE_SOCKET;
	case LINUX_BPF_NEG:
		return code == (LINUX_BPF_ALU | LINUX_BPF_NEG);
	default:
		return false;
	}
}

static bool jump_is_known(uint16_t code)
{
	switch (LINUX_BPF_OP(code)) {
	case LINUX_BPF_JA:
		return code == (LINUX_BPF_JMP | LINUX_BPF_JA);
	case LINUX_BPF_JEQ:
	case LINUX_BPF_JGT:
	case LINUX_BPF_JGE:
	case LINUX_BPF_JSET:
		return code <= 0xff;
	default:
		return false;
	}
}

static bool load_is_known(uint16_t code, enum bpf_use use)
{
	switch (code) {
	case LINUX_BPF_LD | LINUX_BPF_W | LINUX_BPF_ABS:
	case LINUX_BPF_LD | LINUX_BPF_W | LINUX_BPF_LEN:
	case LINUX_BPF_LD | LINUX_BPF_IMM:
	case LINUX_BPF_LD | LINUX_BPF_MEM:
	case LINUX_BPF_LDX | LINUX_BPF_W | LINUX_BPF_LEN:
	case LINUX_BPF_LDX | LINUX_BPF_IMM:
	case LINUX_BPF_LDX | LINUX_BPF_MEM:
		return true;
	case LINUX_BPF_LD | LINUX_BPF_H | LINUX_BPF_ABS:
	case LINUX_BPF_LD | LINUX_BPF_B | LINUX_BPF_ABS:
	case LINUX_BPF_LD | LINUX_BPF_W | LINUX_BPF_IND:
	case LINUX_BPF_LD | LINUX_BPF_H | LINUX_BPF_IND:
	case LINUX_BPF_LD | LINUX_BPF_B | LINUX_BPF_IND:
	case LINUX_BPF_LDX | LINUX_BPF_B | LINUX_BPF_MSH:
		return use == BPF_USE_SOCKET;
	default:
		return false;
	}
}

static bool code_is_known(uint16_t code, enum bpf_use use)
{
	switch (LINUX_BPF_CLASS(code)) {
	case LINUX_BPF_LD:
	case LINUX_BPF_LDX:
		return load_is_known(code, use);
	case LINUX_BPF_ST:
		return code == LINUX_BPF_ST;
	case LINUX_BPF_STX:
		return code == LINUX_BPF_STX;
	case LINUX_BPF_ALU:
		return alu_is_known(code, use);
	case LINUX_BPF_JMP:
		return jump_is_known(code);
	case LINUX_BPF_RET:
		return code == (LINUX_BPF_RET | LINUX_BPF_K) ||
		       code == (LINUX_BPF_RET | LINUX_BPF_A);
	default:
		return code == (LINUX_BPF_MISC | LINUX_BPF_TAX) ||
		       code == (LINUX_BPF_MISC | LINUX_BPF_TXA);
	}
}

static bool uses_scratch(uint16_t code)
{
	return code == LINUX_BPF_ST || code == LINUX_BPF_STX ||
	       code == (LINUX_BPF_LD | LINUX_BPF_MEM) || code == (LINUX_BPF_LDX | LINUX_BPF_MEM);
}

/* left: how many instructions follow. */
static bool operands_are_valid(const struct linux_sock_filter *insn, size_t left, enum bpf_use use)
{
	if (uses_scratch(insn->code))
		return insn->k < LINUX_BPF_MEMWORDS;
	switch (LINUX_BPF_CLASS(insn->code)) {
	case LINUX_BPF_ALU:
		if (LINUX_BPF_SRC(insn->code) == LINUX_BPF_X)
			return true;
		if (LINUX_BPF_OP(insn->code) == LINUX_BPF_DIV ||
			LINUX_BPF_OP(insn->code) == LINUX_BPF_MOD)
			return insn->k != 0;
		if (LINUX_BPF_OP(insn->code) == LINUX_BPF_LSH ||
			LINUX_BPF_OP(insn->code) == LINUX_BPF_RSH)
			return insn->k < 32;
		return true;
	case LINUX_BPF_JMP:
		if (LINUX_BPF_OP(insn->code) == LINUX_BPF_JA)
			return insn->k < left;
		return insn->jt < left && insn->jf < left;
	case LINUX_BPF_LD:
		if (LINUX_BPF_MODE(insn->code) != LINUX_BPF_ABS)
			return true;
		if (use == BPF_USE_SECCOMP)
			return insn->k < sizeof(struct linux_seccomp_data) && insn->k % 4 == 0;
		return insn->k < ANCILLARY_OFFSET;
	default:
		return true;
	}
}

/* No path may read a scratch word before it wrote it. valid: what is written on every way to an
 * instruction. */
static int check_scratch(const struct linux_sock_filter *program, size_t count)
{
	uint16_t valid[LINUX_BPF_MAXINSNS], here = 0;

	memset(valid, 0xff, sizeof(valid));
	for (size_t i = 0; i < count; i++) {
		const struct linux_sock_filter *insn = &program[i];

		here &= valid[i];
		if (insn->code == LINUX_BPF_ST || insn->code == LINUX_BPF_STX) {
			here |= (uint16_t)(1u << insn->k);
		} else if (uses_scratch(insn->code)) {
			if (!(here >> insn->k & 1))
				return -EINVAL;
		} else if (LINUX_BPF_CLASS(insn->code) == LINUX_BPF_JMP) {
			if (LINUX_BPF_OP(insn->code) == LINUX_BPF_JA) {
				valid[i + 1 + insn->k] &= here;
			} else {
				valid[i + 1 + insn->jt] &= here;
				valid[i + 1 + insn->jf] &= here;
			}
			here = UINT16_MAX;
		} else if (LINUX_BPF_CLASS(insn->code) == LINUX_BPF_RET) {
			here = UINT16_MAX;
		}
	}
	return 0;
}

int bpf_check(const struct linux_sock_filter *program, size_t count, enum bpf_use use)
{
	if (count == 0 || count > LINUX_BPF_MAXINSNS)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		if (!code_is_known(program[i].code, use) ||
			!operands_are_valid(&program[i], count - i - 1, use))
			return -EINVAL;
	}
	if (LINUX_BPF_CLASS(program[count - 1].code) != LINUX_BPF_RET)
		return -EINVAL;
	return check_scratch(program, count);
}

/* --- running --- */

struct bpf_machine {
	uint32_t a, x;
	uint32_t scratch[LINUX_BPF_MEMWORDS];
	enum bpf_use use;
	const uint8_t *data;
	size_t size;
};

/* False past the end. */
/* Linux runs a translation, whose first three instructions set its registers up. */
#define TRANSLATION_PROLOGUE 3

static size_t translated_jump_count(const struct linux_sock_filter *insn)
{
	uint16_t operation = LINUX_BPF_OP(insn->code);
	size_t count = 1;

	if (operation == LINUX_BPF_JA)
		return 1;
	/* A constant that does not fit as a signed one comes from a register. */
	if (!(insn->code & LINUX_BPF_X) && insn->k > INT32_MAX)
		count++;
	/* One of the two ways is a jump of its own, unless it leads to the next instruction. */
	if (insn->jf && (insn->jt || operation == LINUX_BPF_JSET))
		count++;
	return count;
}

static size_t translated_insn_count(const struct linux_sock_filter *insn)
{
	uint16_t operation = LINUX_BPF_OP(insn->code);

	switch (LINUX_BPF_CLASS(insn->code)) {
	case LINUX_BPF_JMP:
		return translated_jump_count(insn);
	case LINUX_BPF_RET:
		/* A constant is put into the result first. */
		return LINUX_BPF_RVAL(insn->code) == LINUX_BPF_K ? 2 : 1;
	case LINUX_BPF_ALU:
		/* The divisor is looked at. */
		if ((insn->code & LINUX_BPF_X) &&
			(operation == LINUX_BPF_DIV || operation == LINUX_BPF_MOD))
			return 5;
		return 1;
	default:
		return 1;
	}
}

size_t bpf_translated_count(const struct linux_sock_filter *program, size_t count)
{
	size_t total = TRANSLATION_PROLOGUE;

	for (size_t i = 0; i < count; i++)
		total += translated_insn_count(&program[i]);
	return total;
}

static inline bool load(
	const struct bpf_machine *machine, uint32_t offset, unsigned int size, uint32_t *value)
{
	uint32_t word = 0;
	uint16_t half;

	if (offset > machine->size || machine->size - offset < size)
		return false;
	if (size == 1) {
		*value = machine->data[offset];
	} else if (size == 2) {
		memcpy(&half, machine->data + offset, sizeof(half));
		*value = be16toh(half);
	} else {
		memcpy(&word, machine->data + offset, sizeof(word));
		*value = machine->use == BPF_USE_SECCOMP ? word : be32toh(word);
	}
	return true;
}

static inline unsigned int load_size(uint16_t code)
{
	switch (LINUX_BPF_SIZE(code)) {
	case LINUX_BPF_B:
		return 1;
	case LINUX_BPF_H:
		return 2;
	default:
		return 4;
	}
}

/* False: the program ends and returns 0. */
static bool run_load(struct bpf_machine *machine, const struct linux_sock_filter *insn)
{
	uint32_t *to = LINUX_BPF_CLASS(insn->code) == LINUX_BPF_LD ? &machine->a : &machine->x;

	switch (LINUX_BPF_MODE(insn->code)) {
	case LINUX_BPF_IMM:
		*to = insn->k;
		return true;
	case LINUX_BPF_MEM:
		*to = machine->scratch[insn->k];
		return true;
	case LINUX_BPF_LEN:
		*to = (uint32_t)machine->size;
		return true;
	case LINUX_BPF_ABS:
		return load(machine, insn->k, load_size(insn->code), to);
	case LINUX_BPF_IND:
		return load(machine, machine->x + insn->k, load_size(insn->code), to);
	default: /* the length of an IPv4 header */
		if (!load(machine, insn->k, 1, to))
			return false;
		*to = (*to & 15) << 2;
		return true;
	}
}

static bool run_alu(struct bpf_machine *machine, const struct linux_sock_filter *insn)
{
	uint32_t operand = LINUX_BPF_SRC(insn->code) == LINUX_BPF_X ? machine->x : insn->k;

	switch (LINUX_BPF_OP(insn->code)) {
	case LINUX_BPF_ADD:
		machine->a += operand;
		return true;
	case LINUX_BPF_SUB:
		machine->a -= operand;
		return true;
	case LINUX_BPF_MUL:
		machine->a *= operand;
		return true;
	case LINUX_BPF_DIV:
		if (operand)
			machine->a /= operand;
		return operand != 0;
	case LINUX_BPF_MOD:
		if (operand)
			machine->a %= operand;
		return operand != 0;
	case LINUX_BPF_OR:
		machine->a |= operand;
		return true;
	case LINUX_BPF_AND:
		machine->a &= operand;
		return true;
	case LINUX_BPF_XOR:
		machine->a ^= operand;
		return true;
	case LINUX_BPF_LSH:
		machine->a <<= operand & 31;
		return true;
	case LINUX_BPF_RSH:
		machine->a >>= operand & 31;
		return true;
	default:
		machine->a = -machine->a;
		return true;
	}
}

/* How many instructions to skip. */
static uint32_t run_jump(const struct bpf_machine *machine, const struct linux_sock_filter *insn)
{
	uint32_t operand = LINUX_BPF_SRC(insn->code) == LINUX_BPF_X ? machine->x : insn->k;
	bool taken;

	switch (LINUX_BPF_OP(insn->code)) {
	case LINUX_BPF_JA:
		return insn->k;
	case LINUX_BPF_JEQ:
		taken = machine->a == operand;
		break;
	case LINUX_BPF_JGT:
		taken = machine->a > operand;
		break;
	case LINUX_BPF_JGE:
		taken = machine->a >= operand;
		break;
	default:
		taken = (machine->a & operand) != 0;
		break;
	}
	return taken ? insn->jt : insn->jf;
}

uint32_t bpf_run(const struct linux_sock_filter *program, size_t count, enum bpf_use use,
	const void *data, size_t size)
{
	struct bpf_machine machine = {.use = use, .data = data, .size = size};

	for (size_t i = 0; i < count; i++) {
		const struct linux_sock_filter *insn = &program[i];

		switch (LINUX_BPF_CLASS(insn->code)) {
		case LINUX_BPF_LD:
		case LINUX_BPF_LDX:
			if (!run_load(&machine, insn))
				return 0;
			break;
		case LINUX_BPF_ST:
			machine.scratch[insn->k] = machine.a;
			break;
		case LINUX_BPF_STX:
			machine.scratch[insn->k] = machine.x;
			break;
		case LINUX_BPF_ALU:
			if (!run_alu(&machine, insn))
				return 0;
			break;
		case LINUX_BPF_JMP:
			i += run_jump(&machine, insn);
			break;
		case LINUX_BPF_RET:
			return LINUX_BPF_RVAL(insn->code) == LINUX_BPF_A ? machine.a : insn->k;
		default:
			if (LINUX_BPF_MISCOP(insn->code) == LINUX_BPF_TXA)
				machine.a = machine.x;
			else
				machine.x = machine.a;
			break;
		}
	}
	return 0;
}
