/* SPDX-License-Identifier: Apache-2.0 */
/* The classic BPF checker and interpreter. */
#include "sentry/kernel/bpf.h"

#include "abi/seccomp.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STMT(code_, k_)		  ((struct linux_sock_filter){.code = (code_), .k = (k_)})
#define JUMP(code_, k_, jt_, jf_) ((struct linux_sock_filter){(code_), (jt_), (jf_), (k_)})
#define RETURN(k_)		  STMT(LINUX_BPF_RET | LINUX_BPF_K, k_)
#define RETURN_A		  STMT(LINUX_BPF_RET | LINUX_BPF_A, 0)
#define LOAD_ABS(k_)		  STMT(LINUX_BPF_LD | LINUX_BPF_W | LINUX_BPF_ABS, k_)
#define LOAD(k_)		  STMT(LINUX_BPF_LD | LINUX_BPF_IMM, k_)
#define LOAD_X(k_)		  STMT(LINUX_BPF_LDX | LINUX_BPF_IMM, k_)
#define ALU(op, source, k_)	  STMT(LINUX_BPF_ALU | LINUX_BPF_##op | LINUX_BPF_##source, k_)

static int check_seccomp(const struct linux_sock_filter *program, size_t count)
{
	return bpf_check(program, count, BPF_USE_SECCOMP);
}

/* Runs a program that must be good, on a packet. */
static uint32_t run(
	const struct linux_sock_filter *program, size_t count, const void *packet, size_t size)
{
	ck_assert_int_eq(bpf_check(program, count, BPF_USE_SOCKET), 0);
	return bpf_run(program, count, BPF_USE_SOCKET, packet, size);
}

#define CHECK_SECCOMP(...)                                                                         \
	check_seccomp((const struct linux_sock_filter[]){__VA_ARGS__},                             \
		sizeof((struct linux_sock_filter[]){__VA_ARGS__}) /                                \
			sizeof(struct linux_sock_filter))
#define RUN(packet, size, ...)                                                                     \
	run((const struct linux_sock_filter[]){__VA_ARGS__},                                       \
		sizeof((struct linux_sock_filter[]){__VA_ARGS__}) /                                \
			sizeof(struct linux_sock_filter),                                          \
		packet, size)

START_TEST(test_accepts)
{
	ck_assert_int_eq(CHECK_SECCOMP(RETURN(0)), 0);
	ck_assert_int_eq(CHECK_SECCOMP(LOAD_ABS(60), RETURN_A), 0);
	ck_assert_int_eq(CHECK_SECCOMP(LOAD(1), STMT(LINUX_BPF_ST, 15),
				 STMT(LINUX_BPF_LD | LINUX_BPF_MEM, 15), RETURN_A),
		0);
	ck_assert_int_eq(
		CHECK_SECCOMP(STMT(LINUX_BPF_LD | LINUX_BPF_W | LINUX_BPF_LEN, 0), RETURN_A), 0);
}
END_TEST

START_TEST(test_refuses_shape)
{
	struct linux_sock_filter *big = calloc(LINUX_BPF_MAXINSNS + 1, sizeof(*big));

	ck_assert_int_eq(check_seccomp(big, 0), -EINVAL);
	for (size_t i = 0; i <= LINUX_BPF_MAXINSNS; i++)
		big[i] = RETURN(0);
	ck_assert_int_eq(check_seccomp(big, LINUX_BPF_MAXINSNS), 0);
	ck_assert_int_eq(check_seccomp(big, LINUX_BPF_MAXINSNS + 1), -EINVAL);
	free(big);
	/* It must end, and every jump must stay inside. */
	ck_assert_int_eq(CHECK_SECCOMP(LOAD(0)), -EINVAL);
	ck_assert_int_eq(CHECK_SECCOMP(STMT(LINUX_BPF_JMP | LINUX_BPF_JA, 1), RETURN(0)), -EINVAL);
	ck_assert_int_eq(
		CHECK_SECCOMP(STMT(LINUX_BPF_JMP | LINUX_BPF_JA, UINT32_MAX), RETURN(0)), -EINVAL);
	ck_assert_int_eq(
		CHECK_SECCOMP(JUMP(LINUX_BPF_JMP | LINUX_BPF_JEQ, 0, 0, 1), RETURN(0)), -EINVAL);
}
END_TEST

START_TEST(test_refuses_operands)
{
	ck_assert_int_eq(CHECK_SECCOMP(ALU(DIV, K, 0), RETURN(0)), -EINVAL);
	ck_assert_int_eq(CHECK_SECCOMP(ALU(LSH, K, 32), RETURN(0)), -EINVAL);
	ck_assert_int_eq(CHECK_SECCOMP(ALU(MOD, K, 3), RETURN(0)), -EINVAL);
	ck_assert_int_eq(CHECK_SECCOMP(STMT(LINUX_BPF_ST, 16), RETURN(0)), -EINVAL);
	ck_assert_int_eq(CHECK_SECCOMP(LOAD_ABS(64), RETURN(0)), -EINVAL);
	ck_assert_int_eq(CHECK_SECCOMP(LOAD_ABS(2), RETURN(0)), -EINVAL);
	ck_assert_int_eq(
		CHECK_SECCOMP(STMT(LINUX_BPF_LD | LINUX_BPF_B | LINUX_BPF_ABS, 0), RETURN(0)),
		-EINVAL);
	ck_assert_int_eq(CHECK_SECCOMP(STMT(LINUX_BPF_RET | LINUX_BPF_X, 0)), -EINVAL);
	ck_assert_int_eq(CHECK_SECCOMP(STMT(0x100 | LINUX_BPF_ALU, 0), RETURN(0)), -EINVAL);
	ck_assert_int_eq(CHECK_SECCOMP(STMT(0xffff, 0), RETURN(0)), -EINVAL);
}
END_TEST

START_TEST(test_scratch_must_be_written)
{
	ck_assert_int_eq(CHECK_SECCOMP(STMT(LINUX_BPF_LD | LINUX_BPF_MEM, 0), RETURN_A), -EINVAL);
	/* Written on one way only. */
	ck_assert_int_eq(
		CHECK_SECCOMP(JUMP(LINUX_BPF_JMP | LINUX_BPF_JEQ, 0, 0, 1), STMT(LINUX_BPF_ST, 3),
			STMT(LINUX_BPF_LD | LINUX_BPF_MEM, 3), RETURN_A),
		-EINVAL);
	/* On both. */
	ck_assert_int_eq(
		CHECK_SECCOMP(JUMP(LINUX_BPF_JMP | LINUX_BPF_JEQ, 0, 0, 2), STMT(LINUX_BPF_ST, 3),
			STMT(LINUX_BPF_JMP | LINUX_BPF_JA, 1), STMT(LINUX_BPF_ST, 3),
			STMT(LINUX_BPF_LD | LINUX_BPF_MEM, 3), RETURN_A),
		0);
}
END_TEST

START_TEST(test_arithmetic)
{
	ck_assert_uint_eq(RUN("", 0, LOAD(7), ALU(ADD, K, UINT32_MAX), RETURN_A), 6);
	ck_assert_uint_eq(RUN("", 0, LOAD(7), ALU(SUB, K, 8), RETURN_A), UINT32_MAX);
	ck_assert_uint_eq(RUN("", 0, LOAD(7), ALU(MUL, K, 6), RETURN_A), 42);
	ck_assert_uint_eq(RUN("", 0, LOAD(7), LOAD_X(2), ALU(DIV, X, 0), RETURN_A), 3);
	ck_assert_uint_eq(RUN("", 0, LOAD(7), LOAD_X(4), ALU(MOD, X, 0), RETURN_A), 3);
	ck_assert_uint_eq(RUN("", 0, LOAD(6), ALU(OR, K, 1), RETURN_A), 7);
	ck_assert_uint_eq(RUN("", 0, LOAD(6), ALU(AND, K, 3), RETURN_A), 2);
	ck_assert_uint_eq(RUN("", 0, LOAD(6), ALU(XOR, K, 5), RETURN_A), 3);
	ck_assert_uint_eq(RUN("", 0, LOAD(3), ALU(LSH, K, 31), RETURN_A), 0x80000000u);
	ck_assert_uint_eq(RUN("", 0, LOAD(8), ALU(RSH, K, 3), RETURN_A), 1);
	ck_assert_uint_eq(
		RUN("", 0, LOAD(1), STMT(LINUX_BPF_ALU | LINUX_BPF_NEG, 0), RETURN_A), UINT32_MAX);
	/* A division by a zero in X ends the program. */
	ck_assert_uint_eq(RUN("", 0, LOAD(7), ALU(DIV, X, 0), RETURN(9)), 0);
	ck_assert_uint_eq(RUN("", 0, LOAD(7), STMT(LINUX_BPF_MISC | LINUX_BPF_TAX, 0), LOAD(0),
				  STMT(LINUX_BPF_MISC | LINUX_BPF_TXA, 0), RETURN_A),
		7);
}
END_TEST

START_TEST(test_packets)
{
	static const uint8_t packet[] = {0x45, 0x01, 0x02, 0x03, 0x04};

	ck_assert_uint_eq(RUN(packet, 5, LOAD_ABS(0), RETURN_A), 0x45010203);
	ck_assert_uint_eq(RUN(packet, 5, LOAD_ABS(2), RETURN(1)), 0);
	ck_assert_uint_eq(
		RUN(packet, 5, STMT(LINUX_BPF_LD | LINUX_BPF_H | LINUX_BPF_ABS, 3), RETURN_A),
		0x0304);
	ck_assert_uint_eq(
		RUN(packet, 5, STMT(LINUX_BPF_LD | LINUX_BPF_B | LINUX_BPF_ABS, 4), RETURN_A), 4);
	ck_assert_uint_eq(
		RUN(packet, 5, STMT(LINUX_BPF_LD | LINUX_BPF_B | LINUX_BPF_ABS, 5), RETURN(1)), 0);
	ck_assert_uint_eq(RUN(packet, 5, LOAD_X(2),
				  STMT(LINUX_BPF_LD | LINUX_BPF_B | LINUX_BPF_IND, 1), RETURN_A),
		3);
	/* An offset that wraps around is past the end. */
	ck_assert_uint_eq(RUN(packet, 5, LOAD_X(UINT32_MAX),
				  STMT(LINUX_BPF_LD | LINUX_BPF_W | LINUX_BPF_IND, 0), RETURN(1)),
		0);
	ck_assert_uint_eq(RUN(packet, 5, STMT(LINUX_BPF_LDX | LINUX_BPF_B | LINUX_BPF_MSH, 0),
				  STMT(LINUX_BPF_MISC | LINUX_BPF_TXA, 0), RETURN_A),
		20);
	ck_assert_uint_eq(
		RUN(packet, 5, STMT(LINUX_BPF_LD | LINUX_BPF_W | LINUX_BPF_LEN, 0), RETURN_A), 5);
}
END_TEST

START_TEST(test_jumps)
{
	const struct linux_sock_filter program[] = {
		LOAD_ABS(0),
		JUMP(LINUX_BPF_JMP | LINUX_BPF_JGE | LINUX_BPF_K, 100, 0, 2),
		JUMP(LINUX_BPF_JMP | LINUX_BPF_JGT | LINUX_BPF_K, 200, 3, 0),
		RETURN(2),
		JUMP(LINUX_BPF_JMP | LINUX_BPF_JSET | LINUX_BPF_K, 1, 0, 2),
		RETURN(1),
		RETURN(3),
		RETURN(4),
	};
	static const struct {
		int32_t nr;
		uint32_t result;
	} cases[] = {{100, 2}, {200, 2}, {201, 3}, {99, 1}, {98, 4}};
	struct linux_seccomp_data data = {0};

	ck_assert_int_eq(check_seccomp(program, 8), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		data.nr = cases[i].nr;
		ck_assert_uint_eq(
			bpf_run(program, 8, BPF_USE_SECCOMP, &data, sizeof(data)), cases[i].result);
	}
}
END_TEST

START_TEST(test_random_programs)
{
	struct linux_sock_filter program[32];
	uint8_t packet[64];
	unsigned int accepted = 0;

	srand(1);
	for (int round = 0; round < 300000; round++) {
		size_t count = 1 + (size_t)rand() % 8;

		for (size_t i = 0; i < count; i++)
			program[i] = (struct linux_sock_filter){(uint16_t)(rand() & 0xff),
				(uint8_t)(rand() % 8), (uint8_t)(rand() % 8),
				(uint32_t)(rand() % 80)};
		program[count - 1] = RETURN_A;
		for (size_t i = 0; i < sizeof(packet); i++)
			packet[i] = (uint8_t)rand();
		if (bpf_check(program, count, BPF_USE_SOCKET))
			continue;
		accepted++;
		(void)bpf_run(
			program, count, BPF_USE_SOCKET, packet, (size_t)rand() % sizeof(packet));
	}
	ck_assert_uint_gt(accepted, 1000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bpf");
	TCase *tests = tcase_create("bpf");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_accepts);
	tcase_add_test(tests, test_refuses_shape);
	tcase_add_test(tests, test_refuses_operands);
	tcase_add_test(tests, test_scratch_must_be_written);
	tcase_add_test(tests, test_arithmetic);
	tcase_add_test(tests, test_packets);
	tcase_add_test(tests, test_jumps);
	tcase_add_test(tests, test_random_programs);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
