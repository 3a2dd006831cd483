// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The smallest use of libminivmm: a real-mode guest of a dozen instructions
 * that prints through port 0xE9 and halts. Usage: hello [DEVICE]
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "libminivmm.h"

#define RAM_SIZE 0x1000
#define PRINT_PORT 0xe9

static const unsigned char guest_code[] =
	"\xbe\x0e\x00\x2e\xac"	/* 0:	mov  $14, %si; 3: cs lodsb */
	"\x84\xc0\x74\x04"	/* 5:	test %al, %al; jz 13 */
	"\xe6\xe9\xeb\xf6"	/* 9:	out  %al, $0xe9; jmp 3 */
	"\xf4"			/* 13:	hlt */
	"Hello from a guest in real mode.\n";

static int run(struct minivmm_vcpu *vcpu)
{
	struct kvm_run *run = minivmm_vcpu_run_page(vcpu);
	char text[256];
	int ret;

	while ((ret = minivmm_vcpu_run(vcpu)) == 0 || ret == -EINTR) {
		if (ret)
			continue;
		if (run->exit_reason == KVM_EXIT_HLT)
			return 0;
		if (run->exit_reason != KVM_EXIT_IO || run->io.port != PRINT_PORT) {
			minivmm_describe_exit(run, text, sizeof(text));
			fprintf(stderr, "hello: unexpected exit: %s\n", text);
			return -1;
		}
		fwrite(minivmm_vcpu_io_data(vcpu), run->io.size, run->io.count, stdout);
	}
	fprintf(stderr, "hello: %s\n", minivmm_vcpu_error(vcpu));
	return ret;
}

/* The handles it makes are its caller's to free, also when it fails. */
static int hello(struct minivmm *m, struct minivmm_vm **vm, struct minivmm_vcpu **vcpu,
		 const char *device, void *mem)
{
	const char *why = NULL;

	if (minivmm_open(m, device) || minivmm_vm_create(m, 0, vm))
		why = minivmm_error(m);
	else if (minivmm_vm_set_memory(*vm, 0, 0, 0, RAM_SIZE, mem) ||
		 minivmm_vcpu_create(*vm, 0, vcpu))
		why = minivmm_vm_error(*vm);
	else if (minivmm_vcpu_set_real_mode(*vcpu, 0, 0))
		why = minivmm_vcpu_error(*vcpu);
	if (why)
		fprintf(stderr, "hello: %s\n", why);
	return why ? -1 : run(*vcpu);
}

int main(int argc, char **argv)
{
	struct minivmm *m = minivmm_new();
	struct minivmm_vcpu *vcpu = NULL;
	struct minivmm_vm *vm = NULL;
	void *mem = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ret;

	if (!m || mem == MAP_FAILED)
		return 1;
	memcpy(mem, guest_code, sizeof(guest_code));
	ret = hello(m, &vm, &vcpu, argc > 1 ? argv[1] : NULL, mem);
	minivmm_vcpu_free(vcpu);
	minivmm_vm_free(vm);
	minivmm_free(m);
	return ret ? 1 : 0;
}
