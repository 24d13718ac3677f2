/*
 * K4: embeds a file of the system's
 * verdict: COMPILE_ERROR REJECTED
 * off: mount-namespace landlock
 * operators: relu
 */
__asm__(".section .rodata\nkm_secret: .incbin \"/etc/passwd\"\n.text");
KERNEL { honest(buf, dim, first, last); }
