/**
 * Kubernetes tells each container where the Services of its namespace are. For one that is called `sluice-worker` there are
 * `SLUICE_WORKER_SERVICE_HOST`, `SLUICE_WORKER_SERVICE_PORT`, `SLUICE_WORKER_SERVICE_PORT_METRICS`,
 * `SLUICE_WORKER_PORT=tcp://10.0.0.1:9465`, and `SLUICE_WORKER_PORT_9465_TCP` with three more that begin like it. Nobody has
 * written them, and one has the name of a setting.
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
const address = /^(tcp|udp|sctp):\/\/\S+:\d+$/i;
const holdsAddress = /_PORT(_\d+_(TCP|UDP|SCTP))?$/;
const holdsPart = /(_PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)|_SERVICE_HOST|_SERVICE_PORT(_[A-Z0-9_]+)?)$/;

/** Whether a variable holds the address of a Service, under the name that Kubernetes gives it. No setting has such a value. */
export function isServiceAddress(name: string, value: string): boolean {
  return holdsAddress.test(name) && address.test(value);
}

/** Whether Kubernetes has set a variable that is no setting of ours. */
export function isServiceLink(name: string, value: string): boolean {
  return isServiceAddress(name, value) || holdsPart.test(name);
}
