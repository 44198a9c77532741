import type { Scope } from '../../database/scope.ts';
import { paymentErrors } from '../errors.ts';
import type { CustomField } from '../model/customFields.ts';
import type { LinkMoment } from '../model/linkStatus.ts';
import type { AskedPrice } from './readPrice.ts';

/** One way to pay a link, as an order copies it. */
export interface Terms extends AskedPrice {
  readonly assetId: string;
  readonly chainId: number;
  readonly token: string | null;
  /** Whether less of the asset arrives than is sent. */
  readonly takesFee: boolean;
  readonly payTo: string;
  /** Whether nobody watches its chain. */
  readonly unwatched: boolean;
}

/** A link as its payer's order is made from it. */
export interface PayableLink extends LinkMoment {
  readonly organizationId: string;
  readonly id: string;
  readonly inactiveMessage: string | null;
  readonly customFields: readonly CustomField[];
  readonly accepts: readonly Terms[];
}

/**
 * The only link that this scene can see: the one whose slug the payer came with. A draft is nobody's to see.
 * @throws LINK_NOT_FOUND
 */
export async function findPayableLink(db: Scope['db']): Promise<PayableLink> {
  const link = await db.paymentLink.findFirst({
    select: {
      organizationId: true,
      id: true,
      status: true,
      startsAt: true,
      expiresAt: true,
      exhausted: true,
      unproved: true,
      unwatched: true,
      inactiveMessage: true,
      customFields: true,
      accepts: {
        orderBy: { position: 'asc' },
        select: {
          units: true,
          minUnits: true,
          maxUnits: true,
          payTo: true,
          unwatched: true,
          asset: {
            select: {
              id: true,
              chainId: true,
              caip19: true,
              address: true,
              decimals: true,
              creditsBalanceDifference: true,
            },
          },
        },
      },
    },
  });
  if (!link || link.status === 'DRAFT') throw paymentErrors.LINK_NOT_FOUND();
  const accepts = link.accepts.map(({ asset, units, minUnits, maxUnits, payTo, unwatched }) => ({
    assetId: asset.id,
    chainId: Number(asset.chainId),
    asset: asset.caip19,
    token: asset.address,
    decimals: asset.decimals,
    takesFee: asset.creditsBalanceDifference,
    units: units && BigInt(units.toFixed()),
    minUnits: minUnits && BigInt(minUnits.toFixed()),
    maxUnits: maxUnits && BigInt(maxUnits.toFixed()),
    payTo,
    unwatched,
  }));
  return { ...link, customFields: link.customFields as unknown as readonly CustomField[], accepts };
}
