/* SPDX-License-Identifier: Apache-2.0 */
/* The names that /proc/cpuinfo has for what CPUID tells of a processor, in the order in which they
 * are shown. */
#include "sentry/fs/proc/processor_flags.h"

#include <cpuid.h>
#include <stdint.h>
#include <string.h>

enum cpuid_register { EAX, EBX, ECX, EDX };

/* One register of one leaf: names separated by spaces, each with its bit before it. */
static const struct {
	uint32_t leaf, subleaf;
	enum cpuid_register which;
	const char *names;
} registers[] = {
	{0x1, 0, EDX,
		"0:fpu 1:vme 2:de 3:pse 4:tsc 5:msr 6:pae 7:mce 8:cx8 9:apic 11:sep 12:mtrr 13:pge "
		"14:mca "
		"15:cmov 16:pat 17:pse36 19:clflush 21:dts 22:acpi 23:mmx 24:fxsr 25:sse 26:sse2 "
		"27:ss "
		"28:ht 29:tm 31:pbe"},
	{0x80000001, 0, EDX,
		"11:syscall 20:nx 22:mmxext 25:fxsr_opt 26:pdpe1gb 27:rdtscp 29:lm 30:3dnowext "
		"31:3dnow"},
	/* What follows from the processor being one that runs this. */
	{0x80000007, 0, EDX, "8:constant_tsc 8:rep_good 8:nopl 8:xtopology 8:nonstop_tsc 8:cpuid"},
	{0x1, 0, ECX,
		"0:pni 1:pclmulqdq 2:dtes64 3:monitor 4:ds_cpl 5:vmx 6:smx 7:est 8:tm2 9:ssse3 "
		"10:cid "
		"11:sdbg 12:fma 13:cx16 14:xtpr 15:pdcm 17:pcid 18:dca 19:sse4_1 20:sse4_2 "
		"21:x2apic "
		"22:movbe 23:popcnt 24:tsc_deadline_timer 25:aes 26:xsave 28:avx 29:f16c 30:rdrand "
		"31:hypervisor"},
	{0x80000001, 0, ECX,
		"0:lahf_lm 1:cmp_legacy 2:svm 3:extapic 4:cr8_legacy 5:abm 6:sse4a 7:misalignsse "
		"8:3dnowprefetch 9:osvw 10:ibs 11:xop 12:skinit 13:wdt 15:lwp 16:fma4 17:tce "
		"19:nodeid_msr 21:tbm 22:topoext 23:perfctr_core 24:perfctr_nb 26:bpext 27:ptsc "
		"28:perfctr_llc 29:mwaitx"},
	{0x7, 0, EDX, "26:ibrs 26:ibpb 27:stibp 31:ssbd"},
	{0x7, 0, EBX,
		"0:fsgsbase 1:tsc_adjust 2:sgx 3:bmi1 4:hle 5:avx2 7:smep 8:bmi2 9:erms 10:invpcid "
		"11:rtm "
		"12:cqm 14:mpx 15:rdt_a 16:avx512f 17:avx512dq 18:rdseed 19:adx 20:smap "
		"21:avx512ifma "
		"23:clflushopt 24:clwb 25:intel_pt 26:avx512pf 27:avx512er 28:avx512cd 29:sha_ni "
		"30:avx512bw 31:avx512vl"},
	{0xd, 1, EAX, "0:xsaveopt 1:xsavec 2:xgetbv1 3:xsaves"},
	{0x7, 1, EAX,
		"0:sha512 1:sm3 2:sm4 4:avx_vnni 5:avx512_bf16 7:cmpccxadd "
		"17:fred 18:lkgs 21:amx_fp16 23:avx_ifma 26:lam"},
	{0x80000008, 0, EBX,
		"0:clzero 1:irperf 2:xsaveerptr 4:rdpru 9:wbnoinvd 23:amd_ppin 25:virt_ssbd "
		"27:cppc "
		"31:brs"},
	{0x6, 0, EAX,
		"0:dtherm 1:ida 2:arat 4:pln 6:pts 7:hwp 8:hwp_notify 9:hwp_act_window 10:hwp_epp "
		"11:hwp_pkg_req 19:hfi"},
	{0x7, 0, ECX,
		"1:avx512vbmi 2:umip 3:pku 4:ospke 5:waitpkg 6:avx512_vbmi2 8:gfni 9:vaes "
		"10:vpclmulqdq "
		"11:avx512_vnni 12:avx512_bitalg 13:tme 14:avx512_vpopcntdq 22:rdpid "
		"24:bus_lock_detect 25:cldemote 27:movdiri 28:movdir64b 29:enqcmd 30:sgx_lc"},
	{0x7, 0, EDX,
		"2:avx512_4vnniw 3:avx512_4fmaps 4:fsrm 5:uintr 8:avx512_vp2intersect 10:md_clear "
		"14:serialize 16:tsxldtrk 18:pconfig 19:arch_lbr 20:ibt 22:amx_bf16 23:avx512_fp16 "
		"24:amx_tile 25:amx_int8 28:flush_l1d 29:arch_capabilities"},
};

static uint32_t read_register(uint32_t leaf, uint32_t subleaf, enum cpuid_register which)
{
	uint32_t values[4];

	if ((unsigned int)(uint32_t)__get_cpuid_max(leaf & 0x80000000, NULL) < leaf)
		return 0;
	__cpuid_count(leaf, subleaf, values[EAX], values[EBX], values[ECX], values[EDX]);
	return values[which];
}

static void show_names(struct text_writer *out, const char *names, uint32_t value)
{
	while (*names) {
		unsigned int bit = 0;
		size_t length;

		for (; *names != ':'; names++)
			bit = bit * 10 + (unsigned int)(*names - '0');
		length = strcspn(++names, " ");
		if (value >> bit & 1) {
			text_append(out, " ", 1);
			text_append(out, names, length);
		}
		names += length;
		names += *names == ' ';
	}
}

void processor_show_flags(struct text_writer *out)
{
	for (size_t i = 0; i < array_count(registers); i++)
		show_names(out, registers[i].names,
			read_register(registers[i].leaf, registers[i].subleaf, registers[i].which));
}
