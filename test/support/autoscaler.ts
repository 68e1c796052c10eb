/** The numbers of an autoscaler that a manifest says. Times are seconds. */
export interface ScalerSettings {
  minReplicas: number;
  maxReplicas: number;
  /** of KEDA, between none and one; null: it never goes to none */
  toZero: { pollingInterval: number; cooldownPeriod: number } | null;
  /** of the backlog in seconds; null: only CPU counts */
  backlogTarget: number | null;
  /** percent of what a pod requests */
  cpuTarget: number;
  behavior: { scaleUp: Behavior; scaleDown: Behavior };
}

/** As `behavior` of a HorizontalPodAutoscaler. */
export interface Behavior {
  stabilizationWindowSeconds: number;
  policies: readonly { type: string; value: number; periodSeconds: number }[];
  selectPolicy?: string;
}

/** What the autoscaler sees at one moment. */
export interface Sight {
  replicas: number;
  readyReplicas: number;
  /** null: there is no answer */
  backlogSeconds: number | null;
  /** whether a trigger of KEDA is active; null: there is no answer */
  isActive: boolean | null;
  /** mean of the ready pods, in percent of what they request; null while there is none */
  cpu: number | null;
}

/** Of the controller: how often it looks, and what difference it overlooks. */
const syncSeconds = 15;
const tolerance = 0.1;

/**
 * A HorizontalPodAutoscaler with KEDA in front of it, as both document themselves: KEDA starts one pod when a trigger is active and
 * none runs, and ends all when none has been for the cooldown period; between one and the maximum, the HPA decides.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/#algorithm-details
 * @see https://keda.sh/docs/latest/concepts/scaling-deployments/
 */
export function createAutoscaler(settings: ScalerSettings) {
  const recommendations: { at: number; replicas: number }[] = [];
  const changes: { at: number; by: number }[] = [];
  let lastActiveAt = Number.NEGATIVE_INFINITY;

  /** @returns the replicas from `at` on, in seconds */
  return (at: number, sight: Sight): number => {
    let { replicas } = sight;
    const { toZero } = settings;
    if (toZero !== null && at % toZero.pollingInterval === 0)
      replicas = decideActivity(at, toZero.cooldownPeriod, sight);
    if (replicas > 0 && replicas === sight.replicas && at % syncSeconds === 0) replicas = decideNumber(at, sight);
    return replicas;
  };

  function decideActivity(at: number, cooldownPeriod: number, { replicas, isActive }: Sight): number {
    // An error is neither: KEDA leaves the number as it is.
    if (isActive === null) return replicas;
    if (isActive) {
      lastActiveAt = at;
      return Math.max(1, replicas);
    }
    return at - lastActiveAt > cooldownPeriod ? 0 : replicas;
  }

  function decideNumber(at: number, sight: Sight): number {
    const wanted = wantedByMetrics(sight);
    recommendations.push({ at, replicas: wanted });
    const bounded = withinRates(at, sight.replicas, stabilised(at, sight.replicas));
    const replicas = Math.min(settings.maxReplicas, Math.max(1, settings.minReplicas, bounded));
    if (replicas !== sight.replicas) changes.push({ at, by: replicas - sight.replicas });
    return replicas;
  }

  /** The largest of what each metric wants. One that is not known cannot make it smaller. */
  function wantedByMetrics({ replicas, readyReplicas, backlogSeconds, cpu }: Sight): number {
    const wanted: number[] = [];
    let isUnknown = false;
    const { backlogTarget, cpuTarget } = settings;
    if (backlogTarget !== null) {
      if (backlogSeconds === null) isUnknown = true;
      else wanted.push(byRatio(backlogSeconds / backlogTarget, replicas, readyReplicas));
    }
    if (cpu === null) isUnknown = true;
    else {
      const ratio = cpu / cpuTarget;
      // Pods that are not ready count as idle where it would go up, and not at all where it would go down.
      const cautious = ratio > 1 ? (ratio * readyReplicas) / replicas : ratio;
      if (ratio <= 1 || cautious <= 1) wanted.push(ratio > 1 ? replicas : byRatio(ratio, replicas, readyReplicas));
      else wanted.push(byRatio(cautious, replicas, replicas));
    }
    const most = Math.max(...wanted);
    return isUnknown ? Math.max(replicas, most) : most;
  }

  function byRatio(ratio: number, replicas: number, counted: number): number {
    return Math.abs(1 - ratio) <= tolerance ? replicas : Math.ceil(ratio * counted);
  }

  /** Up by the least, and down by the most, that was wanted within the window. */
  function stabilised(at: number, replicas: number): number {
    const within = (seconds: number) =>
      recommendations.filter((one) => at - one.at <= seconds).map((one) => one.replicas);
    const up = Math.min(...within(settings.behavior.scaleUp.stabilizationWindowSeconds));
    const down = Math.max(...within(settings.behavior.scaleDown.stabilizationWindowSeconds));
    if (replicas < up) return up;
    return replicas > down ? down : replicas;
  }

  /** Policies allow so many more, or fewer, than there were at the beginning of their period. */
  function withinRates(at: number, replicas: number, wanted: number): number {
    if (wanted === replicas) return replicas;
    const isUp = wanted > replicas;
    const { policies, selectPolicy } = settings.behavior[isUp ? 'scaleUp' : 'scaleDown'];
    const limits = policies.map(({ type, value, periodSeconds }) => {
      const recent = changes.filter((one) => at - one.at < periodSeconds);
      const before = replicas - recent.reduce((sum, { by }) => sum + by, 0);
      const share = isUp ? Math.ceil(before * (1 + value / 100)) : Math.floor(before * (1 - value / 100));
      return type === 'Percent' ? share : before + (isUp ? value : -value);
    });
    const isLeast = selectPolicy === 'Min';
    if (isUp) return Math.max(replicas, Math.min(wanted, isLeast ? Math.min(...limits) : Math.max(...limits)));
    return Math.min(replicas, Math.max(wanted, isLeast ? Math.max(...limits) : Math.min(...limits)));
  }
}
