// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads a kernel to follow this one, or starts it:
 *
 *	nextkernel crash KERNEL INITRD CMDLINE	for a panic; needs crashkernel= at boot
 *	nextkernel load KERNEL INITRD CMDLINE	for "nextkernel start"
 *	nextkernel start			now, without the firmware
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/kexec.h>
#include <linux/reboot.h>
#include <sys/syscall.h>

static int load(const char *kernel, const char *initrd, const char *cmdline, unsigned long flags)
{
	int kernel_fd = open(kernel, O_RDONLY), initrd_fd = open(initrd, O_RDONLY);

	if (kernel_fd < 0 || initrd_fd < 0) {
		perror(kernel_fd < 0 ? kernel : initrd);
		return 1;
	}
	if (syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, strlen(cmdline) + 1, cmdline,
		    flags)) {
		perror("kexec_file_load");
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "crash"))
		return load(argv[2], argv[3], argv[4], KEXEC_FILE_ON_CRASH);
	if (argc == 5 && !strcmp(argv[1], "load"))
		return load(argv[2], argv[3], argv[4], 0);
	if (argc == 2 && !strcmp(argv[1], "start")) {
		syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			LINUX_REBOOT_CMD_KEXEC, NULL);
		perror("reboot");
		return 1;
	}
	fprintf(stderr, "usage: nextkernel crash|load KERNEL INITRD CMDLINE, or start\n");
	return 1;
}
