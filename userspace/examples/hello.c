// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The smallest use of libminivmm: a real-mode guest of a dozen instructions
 * that prints through port 0xE9 and halts. Usage: hello [DEVICE]
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "libminivmm.h"

#define GUEST_SIZE 0x1000
#define PRINT_PORT 0xe9

static const unsigned char guest_code[] =
	"\xbe\x10\x00"		/* 0:	mov  $text, %si */
	"\xba\xe9\x00"		/* 3:	mov  $0xe9, %dx */
	"\x2e\xac"		/* 6:	cs lodsb */
	"\x84\xc0"		/* 8:	test %al, %al */
	"\x74\x03"		/* 10:	jz   15 */
	"\xee"			/* 12:	out  %al, %dx */
	"\xeb\xf7"		/* 13:	jmp  6 */
	"\xf4"			/* 15:	hlt */
	"Hello from a guest in real mode.\n";

static int run(struct minivmm_vcpu *vcpu)
{
	struct kvm_run *run = minivmm_vcpu_run_page(vcpu);
	char text[256];
	int ret;

	while ((ret = minivmm_vcpu_run(vcpu)) == 0) {
		if (run->exit_reason == KVM_EXIT_HLT)
			return 0;
		if (run->exit_reason == KVM_EXIT_IO && run->io.port == PRINT_PORT) {
			fwrite(minivmm_vcpu_io_data(vcpu), run->io.size, run->io.count, stdout);
			continue;
		}
		minivmm_describe_exit(run, text, sizeof(text));
		fprintf(stderr, "hello: unexpected exit: %s\n", text);
		return -1;
	}
	fprintf(stderr, "hello: %s\n", minivmm_vcpu_error(vcpu));
	return ret;
}

int main(int argc, char **argv)
{
	struct minivmm *m = minivmm_new();
	struct minivmm_vcpu *vcpu;
	struct minivmm_vm *vm;
	void *mem;

	mem = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!m || mem == MAP_FAILED)
		return 1;
	memcpy(mem, guest_code, sizeof(guest_code));

	if (minivmm_open(m, argc > 1 ? argv[1] : NULL) || minivmm_vm_create(m, 0, &vm)) {
		fprintf(stderr, "hello: %s\n", minivmm_error(m));
		return 1;
	}
	if (minivmm_vm_set_memory(vm, 0, 0, 0, GUEST_SIZE, mem) ||
	    minivmm_vcpu_create(vm, 0, &vcpu)) {
		fprintf(stderr, "hello: %s\n", minivmm_vm_error(vm));
		return 1;
	}
	if (minivmm_vcpu_set_real_mode(vcpu, 0, 0)) {
		fprintf(stderr, "hello: %s\n", minivmm_vcpu_error(vcpu));
		return 1;
	}
	return run(vcpu) ? 1 : 0;
}
