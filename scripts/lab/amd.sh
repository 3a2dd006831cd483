# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# The AMD bed: QEMU's TCG with SVM and nested paging. Boots kernel and
# initramfs directly and gives two serial ports.
#
# no_timer_check: on a busy machine the kernel's early test of the timer finds too
# few ticks and panics.

amd_defaults() {
	: "${CPU_MODEL:=max,+svm,+npt}" "${MEMORY:=1024}" "${TIMEOUT:=180}"
	need qemu-system-x86_64
}

# Starts the emulator in the background and leaves its id in EMULATOR.
# Arguments: what the serial ports are connected to.
amd_start() {
	local args=(-accel "tcg,thread=$THREAD" -cpu "$CPU_MODEL" -smp "$CPUS" -m "$MEMORY"
		-display none -nic none -kernel "$KERNEL_IMAGE" -initrd "$DIR/initramfs"
		-append "console=ttyS0 quiet panic=-1 panic_on_oops=1 mitigations=off no_timer_check printk.devkmsg=on $APPEND")
	if [ -n "$ICOUNT" ]; then
		args[1]=tcg
		args+=(-icount "shift=0,sleep=off")
	fi
	[ "$NEXT" = reboot ] || args+=(-no-reboot)
	[ -z "$GDB" ] || args+=(-gdb "tcp:127.0.0.1:$GDB")
	if [ -n "$SHELL_WANTED" ]; then
		# Ctrl-] is the lab's escape, as Ctrl-a is the launcher's.
		qemu-system-x86_64 "${args[@]}" -serial mon:stdio -echr 29 "${EMU_ARGS[@]}"
		return
	fi
	mkfifo "$DIR/monitor.in" "$DIR/monitor.out"
	qemu-system-x86_64 "${args[@]}" -chardev "pipe,id=monitor,path=$DIR/monitor" -mon monitor -serial "file:$DIR/console.fifo" \
		-serial "file:$DIR/job.fifo" "${EMU_ARGS[@]}" </dev/null >"$LOGS/emulator.log" 2>&1 &
	EMULATOR=$!
}

# Says where a host that no longer gets anywhere is.
amd_where() {
	echo "info registers -a" >"$DIR/monitor.in"
	timeout 2 cat "$DIR/monitor.out" | tr -d '\r' | grep -aE '^(CPU#|RIP|CR[0-4]|RAX|RSI)' >&2 || :
}

# Nothing to add to the log: QEMU does not say why it refuses a VMRUN.
amd_explain() {
	:
}
