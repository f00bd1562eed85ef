/**
 * What keeps a process from starting: a file that is missing, broken or readable by others.
 * The message is one line for the operator and names the variable, never a value (contract 1).
 */
export class StartError extends Error {}
